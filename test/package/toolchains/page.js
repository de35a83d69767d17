import { program } from './program.js';

globalThis.report = program();
