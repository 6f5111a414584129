"""What the course is: labs, hosts, versions, pages. Read from files, never changed."""
