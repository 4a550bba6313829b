// An asynchronous loop that never lets a timer run.
// at most: 0
// says: did not finish within
const bertPooler = async () => { for (;;) await null; };
