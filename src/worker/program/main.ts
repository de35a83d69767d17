import { serveScope } from './serve-scope';

serveScope();
