"""Jupyter's conformance suite (jupyter_kernel_test) on the kernel of this repository."""

import unittest

import jupyter_kernel_test


class LlmLabKernel(jupyter_kernel_test.KernelTests):
    kernel_name = "llm-lab"
    language_name = "typescript"
    file_extension = ".ts"
    code_hello_world = "console.log('hello, world')"
    code_stderr = "console.error('oops')"
    completion_samples = [
        {"text": "cons", "matches": {"console", "const"}},
        {"text": "Math.flo", "matches": {"floor"}},
    ]
    complete_code_samples = ["1", "const f = () => {\n  return 1\n}", "class A {}"]
    incomplete_code_samples = ["function f() {", "const a = `x", "f("]
    invalid_code_samples = ["const = 3", "} x"]
    code_page_something = "Math.floor?"
    code_inspect_sample = "Math.floor"
    code_generate_error = "throw new Error('boo')"
    code_execute_result = [
        {"code": "1+2+3", "result": "6"},
        {"code": "'a' + 'b'", "result": "'ab'"},
    ]
    code_display_data = [
        {"code": "import { display } from 'tslab'; display.html('<b>x</b>')", "mime": "text/html"},
        {"code": "import { display } from 'tslab'; display.png(new Uint8Array([1]))", "mime": "image/png"},
    ]
    code_clear_output = "console.clear()"
    code_history_pattern = "1?2*"
    supported_history_operations = ("tail", "range", "search")


if __name__ == "__main__":
    unittest.main(verbosity=2)
