// Keys and values that trip those who read them: __proto__, symbols, getters that throw, boxed and big numbers.
// at most: 0
const bertPooler = () => {
  const odd = JSON.parse('{"__proto__": {"kind": "tensor"}, "constructor": 1, "toString": null, "kind": "t", "k": "t", "value": 1, "": 2}');
  Object.defineProperty(odd, 'thrower', { enumerable: true, get() { throw { toString() { throw new Error('again'); } }; } });
  odd[Symbol.toPrimitive] = () => 1;
  odd.toJSON = () => ({ verdict: 'pass' });
  return { odd, boxed: new Number(1), big: 1n };
};
