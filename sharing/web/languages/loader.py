"""Loads the portal's templates with their English marked; e-mails and libraries' own stay as is."""

from django.template import Origin
from django.template.loaders import filesystem

from .marking import marked

APART = ("mail/",)
"""Letters go to people whose language nobody asked yet."""


class Loader(filesystem.Loader):
    """Django's own loader of files, and what it read is marked."""

    def get_contents(self, origin: Origin) -> str:
        """Raises TemplateDoesNotExist."""
        source = super().get_contents(origin)
        name = str(origin.template_name or "")
        return marked(source) if name.endswith(".html") and not name.startswith(APART) else source
