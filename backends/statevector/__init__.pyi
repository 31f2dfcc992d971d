from .engine import Statevector as Statevector
from .operations import roofline as roofline
