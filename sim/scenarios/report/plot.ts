import { parse, resetSVGDefIds, View } from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';
import type { Result } from './result.ts';

/** Colours that can be told apart by those who don't see all of them (Okabe and Ito 2008); ours is the first. */
const COLOURS = ['#0072B2', '#D55E00', '#009E73', '#CC79A7', '#E69F00', '#56B4E9', '#000000', '#999999'];
const WIDTH = 640;
const HEIGHT = 150;

/** The panels of a result as one SVG, the same for the same result. */
export async function plot({ title, ways, panels, virtualSeconds }: Result): Promise<string> {
  const minutes = virtualSeconds > 600;
  const hours = virtualSeconds > 3 * 3_600;
  const unit = hours ? 3_600 : minutes ? 60 : 1;
  const spec: TopLevelSpec = {
    background: 'white',
    padding: 12,
    title: { text: title, anchor: 'start' },
    vconcat: panels.map(({ field, label, log = false }) => ({
      width: WIDTH,
      height: HEIGHT,
      data: {
        values: ways.flatMap(({ name, rows }) =>
          rows.flatMap((row) => {
            const value = row[field];
            if (value === undefined || !Number.isFinite(value) || (log && value <= 0)) return [];
            return [{ way: name, time: (row['seconds'] ?? 0) / unit, value }];
          }),
        ),
      },
      mark: { type: 'line', clip: true, interpolate: 'linear', strokeWidth: 1.5 },
      encoding: {
        x: { field: 'time', type: 'quantitative', title: hours ? 'hours' : minutes ? 'minutes' : 'seconds' },
        y: { field: 'value', type: 'quantitative', title: label, ...(log && { scale: { type: 'log' } }) },
        color: { field: 'way', type: 'nominal', title: null, sort: null, scale: { domain: ways.map(({ name }) => name), range: COLOURS } },
      },
    })),
    config: { legend: { orient: 'right', labelLimit: 260 }, axis: { labelFontSize: 10, titleFontSize: 11 } },
  };
  // Names of clip paths are numbered as long as the process lives.
  resetSVGDefIds();
  const view = new View(parse(compile(spec).spec), { renderer: 'none' });
  const svg = await view.toSVG();
  view.finalize();
  return `${svg}\n`;
}
