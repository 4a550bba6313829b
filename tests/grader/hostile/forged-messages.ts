// Messages to a parent that might believe them.
// at most: 0
process.send?.({ verdict: 'pass', score: 100 });
process.emit('message', { verdict: 'pass', score: 100 });
globalThis.postMessage?.({ verdict: 'pass' });
console.log('##teamcity[testFinished]', JSON.stringify({ verdict: 'pass', score: 100 }), 'All tests passed');
process.exitCode = 0;
const bertPooler = () => ({ verdict: 'pass', score: 100, kind: 'returned' });
