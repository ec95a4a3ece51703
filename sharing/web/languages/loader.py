"""Loads the portal's templates, pages and e-mails, with their English marked; libraries' own are
translated by their makers.
"""

from django.template import Origin
from django.template.loaders import filesystem

from .marking import marked


class Loader(filesystem.Loader):
    """Django's own loader of files, and what it read is marked."""

    def get_contents(self, origin: Origin) -> str:
        """Raises TemplateDoesNotExist."""
        source = super().get_contents(origin)
        return marked(source) if str(origin.template_name).endswith(".html") else source
