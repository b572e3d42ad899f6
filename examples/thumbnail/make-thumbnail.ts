import { FatalError } from '@sluice/handler';
import sharp from 'sharp';

export interface Thumbnail {
  readonly body: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/**
 * Scales a photo down to fit a square of `size` pixels, upright whatever its EXIF orientation says; a smaller photo
 * keeps its size. The metadata is left behind: where a photo was taken is nobody's business.
 *
 * @throws FatalError for what is not an image, or is a broken one
 */
export async function makeThumbnail(photo: Uint8Array, size: number): Promise<Thumbnail> {
  try {
    const { data, info } = await sharp(photo, { failOn: 'error' })
      .autoOrient()
      .resize({ width: size, height: size, fit: 'inside', withoutEnlargement: true })
      .webp({ quality: 80 })
      .toBuffer({ resolveWithObject: true });
    return { body: data, width: info.width, height: info.height };
  } catch (cause) {
    // Nothing here but the photo can fail, and the photo stays as it is.
    throw new FatalError(`the photo cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}
