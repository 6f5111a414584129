# What `buildbot start` reads: where the master lives, and where its configuration is. `configfile` and the quotes of
# Application('…') are looked for by buildbot itself.
from buildbot.master import BuildMaster
from twisted.application import service

configfile = "/etc/buildbot/master.cfg"
application = service.Application('buildmaster')
BuildMaster("/var/lib/buildbot", configfile).setServiceParent(application)
