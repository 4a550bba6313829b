// A regular expression that backtracks for ages.
// at most: 0
// says: did not finish within
const bertPooler = () => /^(a+)+$/.test(`${'a'.repeat(60)}!`);
