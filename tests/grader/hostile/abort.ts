// The process aborted.
// at most: 0
// says: ended the process
const bertPooler = () => process.abort();
