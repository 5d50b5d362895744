"""All checks: python3 all.py [-k NAME] [OPTION of unittest]..."""

import os
import sys
import unittest

if __name__ == "__main__":
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path.insert(0, here)
    unittest.main(module=None, argv=["all.py", "discover", "-s", here, "-p", "*_check.py"] + sys.argv[1:])
