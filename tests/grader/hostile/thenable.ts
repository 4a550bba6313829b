// A result that pretends to be a promise.
// at most: 0
const bertPooler = () => ({ then(resolve) { resolve({ then(again) { again(this); } }); } });
