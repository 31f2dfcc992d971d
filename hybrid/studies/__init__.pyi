from .study import Point as Point
from .study import Study as Study
from .study import build as build
from .study import check as check
from .study import read as read
from .templates import kinds as kinds
from .templates import template as template
