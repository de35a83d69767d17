export { type OnnxNetwork, readOnnxNetwork } from './read-network';
