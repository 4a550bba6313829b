// The process ended before anything is declared.
// at most: 0
// says: ended the process
process.exit(0);
const bertPooler = () => 0;
