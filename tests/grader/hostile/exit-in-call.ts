// The process ended, successfully, in the middle of a call.
// at most: 0
// says: ended the process
const bertPooler = () => process.exit(0);
