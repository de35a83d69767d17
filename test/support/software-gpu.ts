import { existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Chromium's software adapter, which Debian's package has as a file of its own. */
export const swiftshader = '/usr/lib/chromium/libvk_swiftshader.so';

/** Whether WebGPU can run in Node: on a GPU whose driver the environment names, or on Chromium's software adapter. */
export const hasGpu = process.env.VK_ICD_FILENAMES !== undefined || existsSync(swiftshader);

/** Names the software adapter as this process's driver, unless the environment names one. */
export function nameDriver(): void {
  if (process.env.VK_ICD_FILENAMES || !existsSync(swiftshader)) return;
  const file = join(mkdtempSync(join(tmpdir(), 'icd-')), 'icd.json');
  const ICD = { library_path: swiftshader, api_version: '1.3.0' };
  writeFileSync(file, JSON.stringify({ file_format_version: '1.0.0', ICD }));
  process.env.VK_ICD_FILENAMES = file;
}
