// A promise that never settles, kept alive by a timer.
// at most: 0
// says: did not finish within
const bertPooler = () => new Promise(() => setInterval(() => {}, 10));
