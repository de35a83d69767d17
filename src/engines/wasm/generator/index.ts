export { createGeneratorProgram } from './generator-program';
