import { isAbsolute, resolve } from 'node:path';
import type { Job, JobRegion, JobSettings } from '../job';
import { isUrl } from '../stores';

/** The job with absolute paths in place of those that count from this process's folder. */
export function withAbsolutePlaces(job: Job): Job {
  const { output, settings, preview } = withPictures(job, absolute);
  const { weights } = settings;
  return {
    ...withPictures(job, absolute),
    output: absolute(output),
    preview: preview && { ...preview, output: absolute(preview.output) },
    settings: {
      ...settings,
      weights: weights !== undefined && isPlace(weights) ? absolute(weights) : weights,
    },
  };
}

/** Places of the pictures, masks and style files that a job reads, each once. */
export function picturesOf(job: Job): readonly string[] {
  const places = new Set<string>();
  withPictures(job, (place) => {
    places.add(place);
    return place;
  });
  return [...places];
}

/** The job with other places of the pictures, masks and style files that it reads. */
function withPictures(job: Job, change: (place: string) => string): Job {
  const { content, style, settings } = job;
  const { init, regions } = settings;
  const changed: JobSettings = {
    ...settings,
    init: init !== undefined && isPlace(init) ? change(init) : init,
    regions: regions?.map(
      ({ content, style, styleImage, ...others }): JobRegion => ({
        ...others,
        content: change(content),
        style: style === undefined ? undefined : change(style),
        styleImage: styleImage === undefined ? undefined : change(styleImage),
      }),
    ),
  };
  return {
    ...job,
    content: change(content),
    style: typeof style === 'string' ? change(style) : style.map(change),
    settings: changed,
  };
}

/** Whether a value of `init` or `weights` is a place, and no name. */
const isPlace = (value: string) => /[./\\]/.test(value);

const absolute = (place: string) => (isUrl(place) || isAbsolute(place) ? place : resolve(place));
