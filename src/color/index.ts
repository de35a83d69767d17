export {
  type ColorMethod,
  colorMethods,
  type TransferColorOptions,
  transferColor,
} from './transfer-color';
