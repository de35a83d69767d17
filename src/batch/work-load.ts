import { threadsOption } from '../engines/wasm/options';
import { bytes, number } from '../options/table';

/** What a program that paints many pictures may take of its machine: options of `batch` and of `work`. */
export const workLoadOptions = {
  jobs: number({
    min: 1,
    max: 256,
    integer: true,
    flag: '--jobs <count>',
    help: 'pictures painted at once (default: as many as cores and memory suffice for)',
  }),
  threads: { ...threadsOption, help: 'threads of each picture (default: the cores that there are for each)' },
  memory: bytes({
    flag: '--memory <bytes>',
    help: "most memory that the program may take, such as 2GB or 500MB (default: the machine's)",
  }),
};
