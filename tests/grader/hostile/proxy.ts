// A result that answers every question differently and never ends.
// at most: 0
const bertPooler = () => new Proxy({}, { ownKeys: () => Array.from({ length: 1e5 }, (_, i) => `${i}`), getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true, value: 1 }), get: () => bertPooler() });
