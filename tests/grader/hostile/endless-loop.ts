// An endless loop in the function.
// at most: 0
// says: did not finish within
const bertPooler = () => { for (;;); };
