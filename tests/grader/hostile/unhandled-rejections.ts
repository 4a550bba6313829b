// Rejections that nobody handles, and a wrong answer.
// at most: 0
const bertPooler = async () => { for (let i = 0; i < 100; i++) void Promise.reject(new Error(`${i}`)); return null; };
