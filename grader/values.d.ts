/**
 * Values as the grader sees them: plain data, detached from any backend. What a learner's function takes and gives
 * is a tree of tensors, typed arrays, numbers, strings, booleans, null, arrays, maps and plain objects; `readValue` turns such
 * a tree into a `Value`, `materialise` turns it back into live tensors.
 */
import * as tf from '@tensorflow/tfjs-core';

declare const TENSOR_ARRAYS: {
  readonly float32: Float32ArrayConstructor;
  readonly int32: Int32ArrayConstructor;
  readonly bool: Uint8ArrayConstructor;
};
declare const TYPED_ARRAYS: {
  readonly Float32Array: Float32ArrayConstructor;
  readonly Float64Array: Float64ArrayConstructor;
  readonly Int8Array: Int8ArrayConstructor;
  readonly Int16Array: Int16ArrayConstructor;
  readonly Int32Array: Int32ArrayConstructor;
  readonly Uint8Array: Uint8ArrayConstructor;
  readonly Uint8ClampedArray: Uint8ClampedArrayConstructor;
  readonly Uint16Array: Uint16ArrayConstructor;
  readonly Uint32Array: Uint32ArrayConstructor;
};
export type TensorDtype = keyof typeof TENSOR_ARRAYS;
export type TypedArrayName = keyof typeof TYPED_ARRAYS;
export type NumericArray = InstanceType<(typeof TYPED_ARRAYS)[TypedArrayName]>;
export interface TensorValue {
  readonly kind: 'tensor';
  readonly dtype: TensorDtype;
  readonly shape: readonly number[];
  readonly values: NumericArray;
}
export interface RecordValue {
  readonly kind: 'record';
  readonly entries: ReadonlyMap<string, Value>;
}
export type Value =
  | TensorValue
  | {
      readonly kind: 'typed';
      readonly type: TypedArrayName;
      readonly values: NumericArray;
    }
  | {
      readonly kind: 'number';
      readonly value: number;
    }
  | {
      readonly kind: 'string';
      readonly value: string;
    }
  | {
      readonly kind: 'boolean';
      readonly value: boolean;
    }
  | {
      readonly kind: 'null';
    }
  | {
      readonly kind: 'undefined';
    }
  | {
      readonly kind: 'list';
      readonly items: readonly Value[];
    }
  | {
      readonly kind: 'map';
      readonly entries: readonly (readonly [Value, Value])[];
    }
  | RecordValue;
/** A value that cannot be compared: a function, a disposed tensor, a cycle. The message is for the learner. */
export declare class UnreadableValue extends Error {
  readonly name = 'UnreadableValue';
}
export declare const isTensorDtype: (name: string) => name is TensorDtype;
export declare const isTypedArrayName: (name: string) => name is TypedArrayName;
/** The typed array of a tensor's dtype over the bytes (copied, so alignment does not matter). */
export declare function tensorArray(dtype: TensorDtype, bytes: Uint8Array): NumericArray;
/** A typed array by its class name over a copy of the bytes. */
export declare function typedArray(name: string, bytes: Uint8Array): NumericArray;
/** Bytes of one element of a tensor. */
export declare const bytesPerElement: (dtype: TensorDtype) => number;
/** How many elements a shape has. */
export declare const sizeOf: (shape: readonly number[]) => number;
/**
 * Reads a tree of tensors and plain data into a `Value`.
 * @param path how messages name the value, for example `result`.
 * @throws UnreadableValue for what has no place in an answer, naming where it sits.
 */
export declare function readValue(source: unknown, path?: string): Promise<Value>;
/** Live data for a value: tensors on the current backend, everything else plain. The caller disposes the tensors. */
export declare function materialise(value: Value): unknown;
/** A tensor in a tree of live data, with the path that messages call it by. */
export interface PlacedTensor {
  readonly path: string;
  readonly tensor: tf.Tensor;
}
/** The tensors of a tree, in order, each once. */
export declare function tensorsIn(tree: unknown, path?: string): PlacedTensor[];
/** Disposes every tensor of a tree that is still alive. */
export declare function disposeTree(tree: unknown): void;
/** What a value is, in a few words: `float32 tensor [2, 5, 12]`, `number`, `array of 3`. */
export declare function nameOf(value: Value): string;
export declare const shapeText: (shape: readonly number[]) => string;
