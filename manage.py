#!/usr/bin/env python
"""The command line of the portal: `manage.py serve`, `manage.py demo`, `manage.py token`, ..."""

import os
import sys

from django.core.management import execute_from_command_line

from sharing.kernel import scope

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    with scope.as_house():  # whoever runs commands is the portal's operator; threads begin anew
        execute_from_command_line(sys.argv)
