// No program at all.
// at most: 0
// says: does not run
const bertPooler = (((
