// The process ended by its inner door.
// at most: 0
// says: ended the process
const bertPooler = () => process.reallyExit(0);
