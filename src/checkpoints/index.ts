export * from './checkpoint.ts';
export { downloadModel } from './hub.ts';
export { type HubOptions, isHubId } from './hub-connection.ts';
export { downloadDatasetFile } from './hub-dataset.ts';
export { parseWith, readJsonObject } from './json.ts';
export * from './parameters.ts';
export * from './safetensors.ts';
export * from './safetensors-write.ts';
export * from './weight-map.ts';
