export { type OnnxNetwork, type OnnxNetworkOptions, readOnnxNetwork } from './read-network';
