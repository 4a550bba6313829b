// The library's own function, by the path of its file.
// at most: 0
const { bertPooler: own } = await import('llm-lab/models');
const bertPooler = (...args) => own(...args);
