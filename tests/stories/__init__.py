"""Do whole runs converge on real servers, through crashes, reruns and faults?"""
