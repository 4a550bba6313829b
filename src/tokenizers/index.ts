export * from './bert-text.ts';
export * from './encoding.ts';
export * from './tokenizer.ts';
export * from './vocabulary.ts';
export * from './wordpiece.ts';
export * from './wordpiece-training.ts';
