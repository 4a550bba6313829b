export * from './bert-text.ts';
export * from './chat-template.ts';
export * from './encoding.ts';
export * from './load.ts';
export * from './tokenizer.ts';
export * from './vocabulary.ts';
export * from './wordpiece.ts';
export * from './wordpiece-training.ts';
