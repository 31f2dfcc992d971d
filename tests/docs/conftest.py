import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))  # for the package docs: no other of that name comes first
sys.path.append(str(HERE))  # for guides.py and commands.py
