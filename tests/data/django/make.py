"""Makes a Django project's database and dumps of it: `make.py FOLDER`, with FOLDER as the working folder."""

import os
import sys
from pathlib import Path

folder = Path(sys.argv[1])
(folder / "articles").mkdir()
(folder / "articles" / "__init__.py").touch()
(folder / "articles" / "models.py").write_text(
    "from django.db import models\n\n\nclass Article(models.Model):\n    name = models.CharField(max_length=50)\n"
)
sys.path.insert(0, str(folder))

import django
from django.conf import settings
from django.contrib.auth.hashers import get_hasher
from django.core.management import call_command

HASHERS = ["PBKDF2", "PBKDF2SHA1", "Argon2", "BCryptSHA256", "BCrypt", "Scrypt", "MD5"]
settings.configure(
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": folder / "django.sqlite3"}},
    INSTALLED_APPS=["django.contrib." + app for app in ["auth", "contenttypes", "admin", "sessions", "messages"]]
    + ["articles"],
    PASSWORD_HASHERS=[f"django.contrib.auth.hashers.{name}PasswordHasher" for name in HASHERS],
    USE_TZ=True,
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
)
django.setup()
call_command("migrate", run_syncdb=True, verbosity=0)

from articles.models import Article
from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.contrib.auth.models import Group, Permission, User
from django.contrib.contenttypes.models import ContentType

root = User.objects.create_superuser("root", "root@example.com", "Correct-horse-0")
for number, name in enumerate(["pbkdf2_sha256", "pbkdf2_sha1", "argon2", "bcrypt_sha256", "bcrypt", "scrypt", "md5"], 1):
    user = User(username=f"{name}.user", email=f"{name}@example.com", is_staff=True)
    hasher = get_hasher(name)
    # Django's own cost is right, but takes the tests' time.
    if hasattr(hasher, "iterations"):
        hasher.iterations = 5000
    if hasattr(hasher, "rounds"):
        hasher.rounds = 5
    user.password = hasher.encode(f"Correct-horse-{number}", hasher.salt())
    user.save()
unusable = User(username="unusable", is_staff=True)
unusable.set_unusable_password()
unusable.save()

editors = Group.objects.create(name="Editors")
editors.permissions.set(Permission.objects.filter(content_type__app_label="articles"))
user.groups.add(editors)
user.user_permissions.add(Permission.objects.get(codename="view_user"))
articles = [Article.objects.create(name=f"Article {number}") for number in range(1, 6)]
kind = ContentType.objects.get_for_model(Article)


def log(flag, message, article):
    LogEntry.objects.create(
        user=root, content_type=kind, object_id=article.pk, object_repr=article.name, action_flag=flag,
        change_message=message,
    )


log(ADDITION, '[{"added": {}}]', articles[0])
log(CHANGE, '[{"changed": {"fields": ["Name"]}}]', articles[0])
log(DELETION, "", articles[4])
articles[4].delete()

apps = ["auth", "articles", "admin", "contenttypes"]
call_command("dumpdata", *apps, output=str(folder / "dump.json"))
call_command("dumpdata", *apps, format="jsonl", output=str(folder / "dump.jsonl"))
call_command(
    "dumpdata", "auth", "articles", "admin", exclude=["auth.permission"], use_natural_foreign_keys=True,
    use_natural_primary_keys=True, output=str(folder / "natural.json.gz"),
)
