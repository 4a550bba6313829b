/**
 * The gradients of TensorFlow.js' operations. Under Node `@tensorflow/tfjs-core` comes without them: only the umbrella
 * package registers them, when it is loaded. Every file that differentiates imports this one, through core/index.ts.
 */
import '@tensorflow/tfjs';
