/**
 * `npm run docs:errors`: writes docs/errors.md from the table in error-codes.ts. `test/errors-page.test.ts` fails where
 * the page is older than the table, or a code is not in use.
 */
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { errorsPage } from './errors-page';

writeFileSync(resolve(import.meta.dirname, '../../docs/errors.md'), errorsPage());
