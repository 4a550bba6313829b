// The process ended, successfully, while the result is read.
// at most: 0
// says: ended the process
const bertPooler = () => ({ get result() { process.exit(0); } });
