import { existsSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import ts from 'typescript';
import { createProgram } from './program.ts';

/** A call of a port's method, in the code of a function or of the domain. */
export interface PortCall {
  /** Such as `core/dispatch/claim writeClaim tasks.update`: it stays the same when lines move. */
  readonly id: string;
  readonly file: string;
  /** Where the text of the callee is: the object, then the method's name. `fetch` has no object. */
  readonly object: Span | undefined;
  readonly method: string;
  readonly callee: Span;
}

/** A place where an adapter makes a command of the AWS SDK. */
export interface CommandCall {
  /** Such as `adapters/aws/task-store updateItem UpdateCommand`. */
  readonly id: string;
  readonly file: string;
  readonly span: Span;
}

export interface Span {
  readonly start: number;
  readonly end: number;
}

/** One AWS call that a function can make: by which call of a port, and by which command of its adapter. */
export interface CallSite {
  readonly fn: string;
  readonly port: string;
  readonly command: string;
}

export interface Scan {
  readonly sites: readonly CallSite[];
  readonly ports: readonly PortCall[];
  readonly commands: readonly CommandCall[];
}

/** How a call site is named in reports and in the list of those that cannot be reached. */
export function nameOf({ fn, port, command }: CallSite): string {
  return `${fn}: ${port} > ${command}`;
}

/** What makes calls without being called through a port: an adapter's folder, by its factories. */
const ADAPTERS = 'adapters/aws/';
const SLIM = 'adapters/aws/slim/';

/**
 * Every AWS call of every function, found in the sources: what is reachable from `functions/<name>/index.ts` by names, and
 * from there through the ports to the commands that their adapters make. It finds too much rather than too little: code
 * that is named counts as code that runs.
 */
export function scan(root: string): Scan {
  const entries = functionEntries(root);
  return new Scanner(root, createProgram(root, [...entries.values(), ...adapterFiles(root)])).scan(entries);
}

/** The name of each function, and its entry file. */
export function functionEntries(root: string): ReadonlyMap<string, string> {
  const folder = join(root, 'functions');
  const names = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const files = names.map(({ name }) => [name, join(folder, name, 'index.ts')] as const);
  return new Map(files.filter(([, file]) => existsSync(file)));
}

function adapterFiles(root: string): string[] {
  const folder = join(root, ADAPTERS);
  return readdirSync(folder)
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name));
}

/**
 * Interfaces whose calls share what they read: whoever asks first makes the call for all, and mostly nobody does. All calls
 * of those with the same name here are one call site of that name.
 */
const SHARED: ReadonlyMap<string, string> = new Map([
  ['KnownStarts', 'TypeRegistry'],
  ['TypeRegistry', 'TypeRegistry'],
  ['ResourceRegistry', 'TypeRegistry'],
  ['KnownBreakers', 'TypeRegistry'],
  ['RoutingMap', 'RoutingMap'],
]);

/** What a piece of code can reach. */
interface Reach {
  readonly ports: Set<ts.CallExpression>;
  readonly commands: Set<ts.NewExpression>;
}

class Scanner {
  private readonly root: string;
  private readonly program: ts.Program;
  private readonly checker: ts.TypeChecker;
  /** The factories that make a port's implementation for AWS, by the declaration of its interface. */
  private readonly factories = new Map<ts.Node, ts.FunctionDeclaration>();
  /** All factories, those of a part of a port too. */
  private readonly wiring = new Set<ts.FunctionDeclaration>();
  private readonly ids = new Map<ts.Node, string>();
  private readonly taken = new Map<string, number>();

  constructor(root: string, program: ts.Program) {
    this.root = root;
    this.program = program;
    this.checker = program.getTypeChecker();
    for (const file of program.getSourceFiles()) {
      const path = this.pathOf(file);
      if (path.startsWith(ADAPTERS) && !path.startsWith(SLIM)) this.noteFactories(file);
    }
  }

  scan(entries: ReadonlyMap<string, string>): Scan {
    const sites = new Map<string, CallSite>();
    const ports = new Map<ts.Node, PortCall>();
    const commands = new Map<string, CommandCall>();
    const byMethod = new Map<ts.Node, Reach>();
    for (const [fn, entry] of entries) {
      const file = this.program.getSourceFile(entry);
      if (file === undefined) throw new Error(`${entry} is not part of the program`);
      // An adapter may call another one's interface in its turn: what is added while it is walked is walked too.
      const reached = this.reach(file);
      const [stray] = reached.commands;
      if (stray)
        throw new Error(
          `${entry} comes to ${this.commandCallOf(stray).id} past the ports: make it a method of an interface that a factory returns`,
        );
      const calls = new Set(reached.ports);
      for (const call of calls) {
        const port = this.portCallOf(call);
        ports.set(call, port);
        const method = this.implementationOf(call);
        if (method === undefined) {
          sites.set(nameOf({ fn, port: port.id, command: 'fetch' }), { fn, port: port.id, command: 'fetch' });
          continue;
        }
        const made = byMethod.get(method) ?? this.reach(method);
        byMethod.set(method, made);
        for (const nested of made.ports) calls.add(nested);
        for (const node of made.commands) {
          const command = this.commandCallOf(node);
          commands.set(command.id, command);
          const site = { fn, port: port.id, command: command.id };
          sites.set(nameOf(site), site);
        }
      }
    }
    const sorted = [...sites].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, site]) => site);
    return { sites: sorted, ports: [...ports.values()], commands: [...commands.values()] };
  }

  private noteFactories(file: ts.SourceFile): void {
    for (const statement of file.statements) {
      if (!ts.isFunctionDeclaration(statement) || !statement.type || !/^create[A-Z]/.test(statement.name?.text ?? '')) continue;
      const made = this.checker.getTypeFromTypeNode(statement.type);
      for (const { symbol } of made.isIntersection() ? made.types : [made]) {
        for (const declaration of (symbol as ts.Symbol | undefined)?.declarations ?? []) {
          if (!ts.isInterfaceDeclaration(declaration)) continue;
          this.factories.set(declaration, statement);
          this.wiring.add(statement);
        }
      }
      // A part of a port: its calls are found in the whole.
      if (ts.isTypeReferenceNode(statement.type) && statement.type.typeName.getText() === 'Pick') this.wiring.add(statement);
    }
  }

  /** Walks code and whatever of the repository it names. */
  private reach(from: ts.Node): Reach {
    const found: Reach = { ports: new Set(), commands: new Set() };
    const seen = new Set<ts.Node>();
    const walk = (node: ts.Node): void => {
      if (ts.isTypeNode(node) || ts.isImportDeclaration(node)) return;
      if (this.isTakenOff(node))
        throw new Error(`${this.pathOf(node.getSourceFile())}: a method of a port is to be called on it: ${node.getText()}`);
      if (ts.isCallExpression(node) && (this.portMethodOf(node) !== undefined || isFetch(node))) found.ports.add(node);
      if (ts.isNewExpression(node) && this.isCommand(node)) found.commands.add(node);
      if (ts.isIdentifier(node)) for (const body of this.bodiesOf(node)) enter(body);
      ts.forEachChild(node, walk);
    };
    const enter = (node: ts.Node): void => {
      if (seen.has(node)) return;
      seen.add(node);
      walk(node);
    };
    enter(from);
    return found;
  }

  /** The code behind a name. An adapter's factory is wiring: what it makes is called through its port. */
  private bodiesOf(name: ts.Identifier): readonly ts.Node[] {
    return this.declarationsOf(name).flatMap((declaration) => {
      if (declaration === name.parent || !this.isOurs(declaration.getSourceFile())) return [];
      if (ts.isFunctionDeclaration(declaration)) return this.wiring.has(declaration) ? [] : [declaration];
      if (ts.isBindingElement(declaration)) return this.partsOf(declaration);
      return ts.isVariableDeclaration(declaration) || ts.isClassDeclaration(declaration) ? [declaration] : [];
    });
  }

  /** `{ read }` of `const { read } = createCalls()`: what that function returns by this name. */
  private partsOf(element: ts.BindingElement): readonly ts.Node[] {
    const { initializer } = ts.isVariableDeclaration(element.parent.parent) ? element.parent.parent : {};
    if (initializer === undefined || !ts.isCallExpression(initializer)) return [];
    const maker = this.declarationsOf(initializer.expression).find(ts.isFunctionDeclaration);
    if (maker === undefined || !this.isOurs(maker.getSourceFile())) return [];
    return [this.propertyMadeBy(maker, (element.propertyName ?? element.name).getText()) ?? maker];
  }

  /** Where what a name stands for is declared, past imports. */
  private declarationsOf(name: ts.Node): readonly ts.Declaration[] {
    let symbol = ts.isShorthandPropertyAssignment(name.parent)
      ? this.checker.getShorthandAssignmentValueSymbol(name.parent)
      : this.checker.getSymbolAtLocation(name);
    if (symbol && symbol.flags & ts.SymbolFlags.Alias) symbol = this.checker.getAliasedSymbol(symbol);
    return symbol?.declarations ?? [];
  }

  private portMethodOf(call: ts.CallExpression): ts.Declaration | undefined {
    if (!ts.isPropertyAccessExpression(call.expression)) return undefined;
    return this.methodDeclared(this.checker.getSymbolAtLocation(call.expression.name));
  }

  private methodDeclared(symbol: ts.Symbol | undefined): ts.Declaration | undefined {
    if (symbol === undefined || this.checker.getTypeOfSymbol(symbol).getNonNullableType().getCallSignatures().length === 0)
      return undefined;
    return symbol.declarations?.find((declaration) => this.factories.has(declaration.parent));
  }

  /** Whether it is a port's method that is not called or asked for at once: its calls could not be found. */
  private isTakenOff(node: ts.Node): boolean {
    if (ts.isBindingElement(node) && ts.isObjectBindingPattern(node.parent) && !node.dotDotDotToken) {
      const name = (node.propertyName ?? node.name).getText();
      return this.methodDeclared(this.checker.getTypeAtLocation(node.parent).getProperty(name)) !== undefined;
    }
    if (!ts.isPropertyAccessExpression(node) || !this.methodDeclared(this.checker.getSymbolAtLocation(node.name))) return false;
    const isCalled = ts.isCallExpression(node.parent) && node.parent.expression === node;
    return !isCalled && !ts.isPrefixUnaryExpression(node.parent) && !ts.isBinaryExpression(node.parent);
  }

  /** The method in the object that the factory returns; undefined for `fetch`. */
  private implementationOf(call: ts.CallExpression): ts.Node | undefined {
    const declaration = this.portMethodOf(call);
    if (declaration === undefined) return undefined;
    const factory = this.factories.get(declaration.parent);
    const method = (call.expression as ts.PropertyAccessExpression).name.text;
    const found = factory && this.propertyMadeBy(factory, method);
    if (found) return found;
    throw new Error(`${factory?.name?.text} must return an object literal with ${method}, in which its calls can be found`);
  }

  /** A property of the object literal that a function returns, itself or by another function that it calls for all or a part of it. */
  private propertyMadeBy({ body }: ts.FunctionDeclaration, name: string): ts.Node | undefined {
    const returned = (body?.statements ?? []).flatMap((each) => (ts.isReturnStatement(each) && each.expression) || []);
    for (const made of returned) {
      // The last one counts.
      const parts = ts.isObjectLiteralExpression(made) ? made.properties.toReversed() : [made];
      for (const part of parts) {
        if (ts.isObjectLiteralElement(part) && part.name?.getText() === name) return part;
        const call = ts.isSpreadAssignment(part) ? part.expression : part;
        if (!ts.isCallExpression(call)) continue;
        const maker = this.declarationsOf(call.expression).find(ts.isFunctionDeclaration);
        const found = maker && this.propertyMadeBy(maker, name);
        if (found) return found;
      }
    }
    return undefined;
  }

  private isCommand(node: ts.NewExpression): boolean {
    if (!ts.isIdentifier(node.expression) || !node.expression.text.endsWith('Command')) return false;
    // What is only signed is sent by whoever gets the URL.
    if (isSignedOnly(node)) return false;
    const [declaration] = this.checker.getSymbolAtLocation(node.expression)?.declarations ?? [];
    const imported = declaration && ts.findAncestor(declaration, ts.isImportDeclaration);
    return imported !== undefined && imported.moduleSpecifier.getText().includes('@aws-sdk/');
  }

  private portCallOf(call: ts.CallExpression): PortCall {
    const { expression } = call;
    const file = this.pathOf(call.getSourceFile());
    const callee = { start: expression.getStart(), end: expression.getEnd() };
    if (!ts.isPropertyAccessExpression(expression))
      return { id: this.idOf(call, 'fetch'), file, object: undefined, method: 'fetch', callee };
    const object = { start: expression.expression.getStart(), end: expression.expression.getEnd() };
    const receiver = expression.expression.getText().split('.').at(-1) ?? '';
    const method = expression.name.text;
    const made = this.portMethodOf(call)?.parent;
    const shared = made && ts.isInterfaceDeclaration(made) ? SHARED.get(made.name.text) : undefined;
    return { id: shared ?? this.idOf(call, `${receiver}.${method}`), file, object, method, callee };
  }

  private commandCallOf(node: ts.NewExpression): CommandCall {
    const span = { start: node.getStart(), end: node.getEnd() };
    return { id: this.idOf(node, node.expression.getText()), file: this.pathOf(node.getSourceFile()), span };
  }

  private idOf(node: ts.Node, what: string): string {
    const known = this.ids.get(node);
    if (known !== undefined) return known;
    const path = this.pathOf(node.getSourceFile()).replace(/\.ts$/, '');
    const base = [path, enclosing(node), what].filter((part) => part !== '').join(' ');
    const count = (this.taken.get(base) ?? 0) + 1;
    this.taken.set(base, count);
    const id = count === 1 ? base : `${base} #${count}`;
    this.ids.set(node, id);
    return id;
  }

  private pathOf(file: ts.SourceFile): string {
    return relative(this.root, file.fileName).replaceAll('\\', '/');
  }

  private isOurs(file: ts.SourceFile): boolean {
    return /^(functions|core|adapters)\//.test(this.pathOf(file)) && !this.pathOf(file).startsWith(SLIM);
  }
}

/** The innermost function around a node that has a name. */
function enclosing(node: ts.Node): string {
  const named = ts.findAncestor(node.parent, (each) => {
    if (ts.isFunctionDeclaration(each) || ts.isMethodDeclaration(each)) return true;
    if (!ts.isVariableDeclaration(each) && !ts.isPropertyAssignment(each)) return false;
    return each.initializer !== undefined && (ts.isArrowFunction(each.initializer) || ts.isFunctionExpression(each.initializer));
  }) as ts.NamedDeclaration | undefined;
  return named?.name?.getText() ?? '';
}

function isFetch({ expression }: ts.CallExpression): boolean {
  return ts.isIdentifier(expression) && expression.text === 'fetch';
}

/** Whether the command goes to `getSignedUrl`, directly or by a variable that is used for nothing else. */
function isSignedOnly(node: ts.NewExpression): boolean {
  const isSigning = (each: ts.Node): boolean =>
    ts.isCallExpression(each) && ts.isIdentifier(each.expression) && each.expression.text === 'getSignedUrl';
  if (isSigning(node.parent)) return true;
  if (!ts.isVariableDeclaration(node.parent) || !ts.isIdentifier(node.parent.name)) return false;
  const name = node.parent.name.text;
  const block = ts.findAncestor(node, ts.isBlock);
  const uses: ts.Node[] = [];
  const walk = (each: ts.Node): void => {
    if (ts.isIdentifier(each) && each.text === name && each.parent !== node.parent) uses.push(each);
    ts.forEachChild(each, walk);
  };
  if (block) walk(block);
  return uses.length > 0 && uses.every((use) => isSigning(use.parent));
}
