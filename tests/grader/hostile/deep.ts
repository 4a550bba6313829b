// A result nested a million levels deep.
// at most: 0
// says: nested deeper
const bertPooler = () => { let result = []; for (let i = 0; i < 1e6; i++) result = [result]; return result; };
