export * from './checkpoint.ts';
export { downloadModel, type HubOptions, isHubId } from './hub.ts';
export { parseWith, readJsonObject } from './json.ts';
export * from './parameters.ts';
export * from './safetensors.ts';
export * from './safetensors-write.ts';
export * from './weight-map.ts';
