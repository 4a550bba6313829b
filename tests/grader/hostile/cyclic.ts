// A result that contains itself.
// at most: 0
// says: contains itself
const bertPooler = () => { const result = {}; result.result = result; return result; };
