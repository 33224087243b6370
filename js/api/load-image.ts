/** Hands an image to a window's core: the effect `loadImage` of docs/window.md, section 2. */

import type { ImageLoadedEvent } from '../core/core-types.ts';
import type { WindowCore } from '../core/window-core.ts';
import type { ImagePlace } from '../core/window-effects.ts';
import type { ImageReader } from '../host/image-reader.ts';

/** Resolves with the event that reports the outcome to the core. */
export async function loadImage(
  images: ImageReader,
  core: WindowCore,
  pointer: ImagePlace,
): Promise<ImageLoadedEvent> {
  const { generation } = pointer;
  try {
    for (const { bytes, files } of images.read(pointer)) await core.loadImagePart(bytes, files);
    return { type: 'imageLoaded', generation, ok: true };
  } catch (error) {
    const { code, message } = error as { code?: unknown; message: string };
    // Only our own errors have codes that are texts; of any other we do not know that the image is at fault.
    const known = typeof code === 'string' ? code : 'storage';
    return {
      type: 'imageLoaded',
      generation,
      ok: false,
      error: { code: known, detail: message },
    };
  }
}
