// An error thrown where nobody can catch it.
// at most: 0
// says: ended the process
const bertPooler = () => new Promise(() => setTimeout(() => { throw new Error('nobody catches me'); }, 1));
