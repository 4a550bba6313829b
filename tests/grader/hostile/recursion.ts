// Calls without end.
// at most: 0
// says: Maximum call stack
const bertPooler = (...args) => bertPooler(...args);
