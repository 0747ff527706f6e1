"""What stands on a cluster for one environment, as manifests that can be read, checked and applied?"""
