// A promise that nothing keeps alive.
// at most: 0
// says: ended the process
const bertPooler = () => new Promise(() => {});
