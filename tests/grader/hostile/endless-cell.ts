// An endless loop before the function is even declared.
// at most: 0
// says: did not finish within
for (;;);
const bertPooler = () => 0;
